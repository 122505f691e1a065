"""The report that `parity.compare` gives, with the files that it can be written to."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from parity.errors import UsageError
from parity.files import write_atomically
from parity.report.records import ReportData

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Report(ReportData):
    """The report of `parity.compare`: its fields are those of `ReportData`; it prints, draws and writes itself."""

    def __str__(self) -> str:
        """What `parity check` prints."""
        from parity.report import pair_terminal

        return pair_terminal.text(self)

    def __repr__(self) -> str:
        return f"<Report {self.name!r}: {self.verdict}>"

    def _repr_html_(self) -> str:
        """The report in a notebook: a small page in a frame in which no script runs."""
        from parity.report.notebook.frame import frame

        return frame(self)

    def _repr_markdown_(self) -> str:
        from parity.report import markdown

        return markdown.text(self)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """A flat record for each comparison, all with the same keys, for `pandas.DataFrame(report.findings)`.

        The keys are those of `parity.report.notebook.findings.records`; what a comparison has no value of is None.
        """
        from parity.report.notebook.findings import records

        return records(self)

    def plot(self, what: Literal["gaps", "losses"] = "gaps", axes: "Axes | None" = None) -> "Axes":
        """Draw the gaps of all layers against their depth, or the losses of both training runs.

        Args:
            what: "gaps" or "losses".
            axes: Matplotlib's axes to draw into; new ones if None.

        Returns:
            The axes.

        Raises:
            UsageError: Matplotlib is not installed, or there is nothing to draw.
        """
        from parity.report.notebook.plots import plot

        return plot(self, what, axes)

    def to_html(self, path: str | Path) -> None:
        """Write the report as one self-contained HTML file, which loads nothing from elsewhere.

        Args:
            path: The file, which is written whole or not at all; one that is there is replaced.

        Raises:
            UsageError: The file cannot be written.
        """
        from parity.report import html

        html.write(self, path)

    def to_json(self, path: str | Path) -> None:
        """Write everything as JSON but the script's arrays, in the form that `parity.report.programs.schema` has.

        Args:
            path: The file, which is written whole or not at all; one that is there is replaced.

        Raises:
            UsageError: The file cannot be written.
        """
        from parity.report import pair_json

        pair_json.write(self, path)

    def to_markdown(self, path: str | Path) -> None:
        """Write a summary as Markdown, for a comment on a pull request.

        Args:
            path: The file, which is written whole or not at all; one that is there is replaced.

        Raises:
            UsageError: The file cannot be written.
        """
        from parity.report import markdown

        markdown.write(self, path)

    def to_junit(self, path: str | Path) -> None:
        """Write the rungs as JUnit's XML, a test case each, for a CI server.

        Args:
            path: The file, which is written whole or not at all; one that is there is replaced.

        Raises:
            UsageError: The file cannot be written.
        """
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
