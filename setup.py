"""The metadata of tsphys; the rooms sims/, odes/, replica/, figures/, … install as tsphys.sims, …"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
ROOMS = ("sims", "odes", "replica", "figures", "benchmarks", "validation")
# The site is built by the tests too, so that no page rots.
DOCS = ["sphinx>=7", "myst-parser>=2", "furo", "latex2mathml>=3.77", "sphinx-click>=6", "sphinx-copybutton"]

package_dir = {"tsphys": "tsphys"}
packages = {"tsphys", *(f"tsphys.{p}" for p in find_packages("tsphys") if p.split(".")[0] not in ROOMS)}
for room in ROOMS:
    package_dir[f"tsphys.{room}"] = room
    packages |= {f"tsphys.{room}", *(f"tsphys.{room}.{p}" for p in find_packages(room))}

setup(
    name="tsphys",
    version=re.search(r'__version__ = "(.+)"', (HERE / "tsphys" / "__init__.py").read_text()).group(1),
    description="A laboratory for the statistical physics of learning: simulation on theory",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.10",
    package_dir=package_dir,
    packages=sorted(packages),
    package_data={"tsphys": ["py.typed", "*.pyi"], "tsphys.validation": ["*.toml"]},
    install_requires=[
        "numpy>=1.26",
        "numba>=0.62",
        "scipy>=1.12",
        "threadpoolctl>=3",
        "matplotlib>=3.8",
        "click>=8.1",
        "tomli>=2; python_version < '3.11'",
    ],
    extras_require={
        # With the libraries of the other extras, whose tests would be passed over in silence.
        "test": [
            "pytest>=8",
            "pytest-xdist>=3",
            "hypothesis>=6",
            "ruff>=0.6",
            "mypy>=1.11",
            "xarray",
            "pandas",
            "bokeh>=3.4",
            "scikit-learn",
            "distributed",
            "submitit",
            *DOCS,
        ],
        "docs": DOCS,
        "xarray": ["xarray"],
        "pandas": ["pandas"],
        "explore": ["bokeh>=3.4"],
        "dask": ["distributed"],
        "cluster": ["submitit"],
        "images": ["scikit-learn"],
        "gpu": ["numba-cuda>=0.20", "numpy<2.5"],
    },
    entry_points={"console_scripts": ["tsphys = tsphys.cli:main"]},
    classifiers=[
        "Programming Language :: Python :: 3",
        "Intended Audience :: Science/Research",
        "Topic :: Scientific/Engineering :: Physics",
    ],
)
