# Every target works alone, first, on a clean clone; it needs Python 3.11 and nothing installed by hand.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
TORCH := .venv/.torch
READERS := .venv-exports/.ready
ANOMALIB := .venv-anomalib/.ready
# Processes of the test suite; a file of tests stays in one of them.
JOBS ?= 2

.PHONY: demo test check docs bench exports soak format clean

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c "" 2>/dev/null || { echo "datagen needs Python 3.11 (bpy has wheels for no other); set PYTHON=/path/to/python3.11"; exit 5; }
	@echo "setting up .venv (2 GB, some minutes)"
	$(PYTHON) -m venv .venv
	$(PYTHON) .ci/install.py .venv -r requirements.lock
	$(PYTHON) .ci/install.py .venv --no-deps -e .
	@touch $(READY)

# Tests of training need torch: its CPU build, and what stands on it. A user's own torch is left alone.
$(TORCH): $(READY) requirements-train.lock
	$(BIN)/python -c "import torch" 2>/dev/null || $(PYTHON) .ci/install.py .venv torch==2.13.0
	$(PYTHON) .ci/install.py .venv -r requirements-train.lock
	@touch $(TORCH)

demo: $(READY)
	$(BIN)/datagen build --shapes partnet/chair --recipe recipes/quickstart.yaml --limit 6 --out out/demo
	$(BIN)/datagen show out/demo --sheet 12 --out out/demo/sheet.png
	@echo "contact sheet: out/demo/sheet.png"
	$(BIN)/datagen verify out/demo

test: $(TORCH)
	$(BIN)/pytest -n $(JOBS) --dist loadfile

check: $(TORCH)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest tests/test_imports.py tests/test_words.py tests/test_reference.py

# The pages of docs/reference, from the texts in the program.
docs: $(READY)
	$(BIN)/python -m datagen.cli.reference

bench: $(READY)
	$(BIN)/datagen bench $(addprefix --shapes ,partnet/chair $(wildcard ../shared/samples/chairs_partnet_format_clvrai))

$(READERS): tests/export/readers/requirements.txt
	$(PYTHON) -m venv .venv-exports
	$(PYTHON) .ci/install.py .venv-exports -r tests/export/readers/requirements.txt
	@touch $(READERS)

# anomalib beside datagen, for its data module.
$(ANOMALIB): tests/export/readers/fit-requirements.txt requirements.lock
	$(PYTHON) -m venv .venv-anomalib
	$(PYTHON) .ci/install.py .venv-anomalib -r requirements.lock -r tests/export/readers/fit-requirements.txt
	@touch $(ANOMALIB)

# Every format read back by the tool it is for, in environments of their own; the tables of docs/exports.md.
exports: $(READY) $(READERS) $(ANOMALIB)
	$(BIN)/python -m tests.export.readers.write out/exports
	.venv-exports/bin/python tests/export/readers/read.py out/exports
	PYTHONPATH=. .venv-anomalib/bin/python tests/export/readers/fit.py out/exports

soak: $(TORCH)
	$(BIN)/pytest -m soak -n $(JOBS) --dist load

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf out .pytest_cache .mypy_cache .ruff_cache
