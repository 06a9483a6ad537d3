"""A picture (照片): two pairs of reading glasses on a table, painted, for there are no photos of nobody's things."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from miniprogram_api.developing import develop
from miniprogram_api.storage import Storage
from miniprogram_api.wishes import Files

_SIZE = (800, 600)


def two_pairs_of_glasses(data_dir: Path) -> Files:
    """Paint them and keep the picture where pictures of wishes are kept."""
    table = Image.new("RGB", _SIZE, "burlywood")
    pen = ImageDraw.Draw(table)
    for top in (120, 360):
        for left in (180, 430):
            pen.ellipse((left, top, left + 190, top + 130), outline="saddlebrown", width=14, fill="aliceblue")
        pen.line((370, top + 60, 430, top + 60), fill="saddlebrown", width=14)
    painted = BytesIO()
    table.save(painted, "JPEG")
    developed, kept = (
        develop(painted.getvalue(), field="photo"),
        Storage(data_dir / "wish-photos", kind="jpg"),
    )
    return Files(
        file=kept.put(developed.body),
        thumbnail=kept.put(developed.thumbnail),
        width=developed.width,
        height=developed.height,
    )
