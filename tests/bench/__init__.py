"""The bench (``make bench``): the running server against the bars of ``docs/hot-path.md``, and the storm the crash tests use too."""
