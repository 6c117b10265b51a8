"""The version of the distribution, written once; read by the build and by `obs --version`."""

__version__ = "0.1.0"
