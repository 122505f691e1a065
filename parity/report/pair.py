"""The report that `parity.compare` gives, with the files that it can be written to."""

from pathlib import Path

from parity.errors import UsageError
from parity.files import write_atomically
from parity.report.records import ReportData


class Report(ReportData):
    """The report of `parity.compare`, with methods that write it to files; its fields are those of `ReportData`."""

    def to_html(self, path: str | Path) -> None:
        """Write the report as one self-contained HTML file; raises UsageError if it cannot be written."""
        from parity.report import html

        html.write(self, path)

    def to_json(self, path: str | Path) -> None:
        """Write everything as JSON; raises UsageError if it cannot be written."""
        from parity.report import pair_json

        pair_json.write(self, path)

    def to_markdown(self, path: str | Path) -> None:
        """Write a summary as Markdown; raises UsageError if it cannot be written."""
        from parity.report import markdown

        markdown.write(self, path)

    def to_junit(self, path: str | Path) -> None:
        """Write the rungs as JUnit's XML; raises UsageError if it cannot be written."""
        from parity.report import junit

        junit.write([self], path)

    def repro(self, path: str | Path) -> list[str]:
        """Write the script that reproduces the first difference on the layer alone, and beside it the .npz file that it
        reads, if it does: one for a layer of no known kind, which needs a name such as "path/to/file.py:function".

        Returns:
            The files that were written.

        Raises:
            UsageError: there is no such script (nothing differs; or not in one layer of a known kind, and no file is
                known that makes the networks), or it cannot be written.
        """
        if not self.repro_script:
            raise UsageError(f"{self.name}: there is no single layer of a known kind to reproduce a difference with")
        arrays = Path(path).with_suffix(".npz")
        if self.repro_arrays:
            write_atomically(arrays, self.repro_arrays)
        write_atomically(path, self.repro_script)
        return [str(path), *([str(arrays)] if self.repro_arrays else [])]
