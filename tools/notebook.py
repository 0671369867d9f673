"""Runs notebooks/exploration.ipynb anew and writes it with what it shows: `make notebook`.

Beside cells and outputs the file holds nothing: no times, and no version of what ran it.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

import errors
from console import console, says_errors
from errors import SpectrumError
from settings import Settings, load_settings

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "exploration.ipynb"

_LONGEST = 1800


def executed(settings: Settings) -> NotebookNode:
    """The notebook as it is after all its cells ran on the shop of these settings.

    Raises the SpectrumError that a cell raised (such as no data), and one that names what a cell failed by otherwise.
    """
    notebook: NotebookNode = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)
    with TemporaryDirectory(prefix="spectrum-notebook-") as folder:
        kernel = KernelManager(  # by sockets in a folder of our own: a port could be reached by others
            kernel_name="python3", transport="ipc", connection_file=f"{folder}/kernel.json", ip=f"{folder}/socket"
        )
        client = NotebookClient(
            notebook,
            timeout=_LONGEST,
            record_timing=False,
            shutdown_kernel="graceful",
            resources={"metadata": {"path": str(NOTEBOOK.parent)}},
        )
        client.km = kernel  # set, and not handed in, it is shut down by the client
        try:
            client.execute(env={**settings.environment(), "IPYTHONDIR": folder})
        except CellExecutionError as error:
            kind = getattr(errors, error.ename, None)
            if isinstance(kind, type) and issubclass(kind, SpectrumError):
                raise kind(error.evalue) from error
            raise SpectrumError(
                f"A cell of {NOTEBOOK.name} failed ({error.ename}: {error.evalue}); open the notebook and run it there."
            ) from error
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


@says_errors
def main() -> None:
    """Run it and write it in place."""
    NOTEBOOK.write_text(nbformat.writes(executed(load_settings())) + "\n", encoding="utf-8")
    console.print("notebooks/exploration.ipynb holds what these data show")


if __name__ == "__main__":
    main()
