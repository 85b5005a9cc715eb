"""What the lessons import: one module for each topic, small and tested.

Importing this package costs nothing: only the modules that use TensorFlow import it.
"""

import gc
import importlib.abc
import importlib.util
import os
import sys
from pathlib import Path

#: The folder that holds `notebooks/`, `data/` and the lock file.
ROOT = Path(__file__).resolve().parent.parent


class _QuietImport(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports TensorFlow with the process's error stream closed.

    TensorFlow's C++ code writes to file descriptor 2 while it is loaded, before any log level
    applies, and Jupyter shows that in the lesson. Errors raised by the import still arrive.
    """

    def find_spec(self, fullname, path=None, target=None):
        if fullname != "tensorflow" or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        self.spec = importlib.util.find_spec(fullname)
        if self.spec is None:
            return None
        return importlib.util.spec_from_loader(
            fullname,
            self,
            origin=self.spec.origin,
            is_package=True,
        )

    def create_module(self, spec):
        return importlib.util.module_from_spec(self.spec)

    def exec_module(self, module):
        module.__spec__, module.__loader__ = self.spec, self.spec.loader
        sys.stderr.flush()
        saved, silent = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 2)
        try:
            self.spec.loader.exec_module(module)
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(silent)


# Python searches for garbage after every 700 new objects. TensorFlow makes millions that stay.
gc.set_threshold(50_000)

if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.meta_path.insert(0, _QuietImport())
