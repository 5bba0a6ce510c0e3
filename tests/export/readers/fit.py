"""anomalib fits and tests, in an environment that has both datagen and anomalib: run by `make exports`.

The backbone's weights are random, for none can be fetched: the figures say that all parts fit together and nothing
about methods.
"""

import logging
import sys
import warnings
from pathlib import Path

from forms import ready_torchvision

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    ready_torchvision()
    from fitting import main

    sys.exit(main(Path(sys.argv[1])))
