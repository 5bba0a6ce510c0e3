"""One self-contained HTML page of a verification: no server, no network, no library in the page."""
