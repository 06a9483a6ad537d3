"""How the WeChat sandbox runs beside a demo. One process: its account lives in memory and is kept in one file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # gunicorn reads this file before it looks there

from server.lifeline import hold_on_to_runner
from server.listening import number_said, said

bind = f"127.0.0.1:{number_said('SANDBOX_PORT')}"
worker_class = "gthread"
workers = 1
threads = 16
keepalive = 30
graceful_timeout = 2
control_socket_disable = True
errorlog = "-"
raw_env = [f"SANDBOX_STATE={said('DATA_DIR')}/wechat-sandbox.json"]


def on_starting(server):
    """The master ends with ``make run``; its worker ends with it."""
    hold_on_to_runner()
