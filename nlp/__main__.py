"""`python -m nlp triage`, `evaluate FILE`, `train --data DIR --out DIR`, `crossvalidate --data DIR`."""

import sys

from .commands import main

sys.exit(main(sys.argv[1:]))
