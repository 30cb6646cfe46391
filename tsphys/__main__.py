"""``python -m tsphys`` is the command ``tsphys``."""

from tsphys.cli import main

if __name__ == "__main__":
    main()
