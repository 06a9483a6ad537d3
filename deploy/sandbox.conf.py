"""How the WeChat sandbox runs beside a demo. One process: its account lives in memory and is kept in one file."""

import os

bind = f"127.0.0.1:{os.environ.get('SANDBOX_PORT', '8001')}"
worker_class = "gthread"
workers = 1
threads = 16
keepalive = 30
graceful_timeout = 2
control_socket_disable = True
errorlog = "-"
raw_env = [f"SANDBOX_STATE={os.environ.get('DATA_DIR', './var')}/wechat-sandbox.json"]


def on_starting(server):
    """The master ends with ``make run``; its worker ends with it."""
    from server.lifeline import hold_on_to_runner  # noqa: PLC0415 - gunicorn reads this file before the path is set

    hold_on_to_runner()
