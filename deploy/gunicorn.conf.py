"""How the web server runs (gunicorn). Settings come from the environment; see env.example."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # gunicorn reads this file before it looks there

from server.lifeline import hold_on_to_runner
from server.listening import number_said, said

bind = f"{said('BIND')}:{number_said('PORT')}"
# gevent: thousands of phones wait for one committer per process, and waiting must cost nothing
worker_class = "gevent"
workers = number_said("WEB_WORKERS")  # about one a core
worker_connections = 4096
backlog = 4096
keepalive = 30  # longer than the proxy in front keeps its own connections busy
timeout = 30
graceful_timeout = 2  # Ctrl-C ends everything within five seconds
control_socket_disable = True
errorlog = "-"
accesslog = None  # the application writes one line a request, without query and person


def on_starting(server):
    """The master ends with ``make run``; its workers end with it."""
    hold_on_to_runner()


def post_fork(server, worker):
    """A worker accepts as many connections at once as come."""
    from server.web import let_everybody_in  # noqa: PLC0415 - the master must not load gevent for its own

    let_everybody_in()


def post_worker_init(worker):
    """The application stands: from here on the collector looks at what requests leave behind alone."""
    from server.web import let_the_house_stand  # noqa: PLC0415 - as above

    let_the_house_stand()
