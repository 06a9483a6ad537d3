<%
    def plainly(commands):
        """What Alembic writes, without its remarks to the one who asked for it."""
        return "\n".join(line for line in (commands or "pass").splitlines() if "# ###" not in line).strip()
%>"""${message}

Revision: ${up_revision}
After: ${down_revision | comma,n}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${plainly(upgrades)}


def downgrade() -> None:
    ${plainly(downgrades)}
