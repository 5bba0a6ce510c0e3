"""One self-contained HTML page of a verification: no server, no network, no library in the page."""

from datagen.verify.report.render import report_html

__all__ = ["report_html"]
