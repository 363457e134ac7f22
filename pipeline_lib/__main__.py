"""`python -m pipeline_lib` does what the command `pipeline-lib` does."""

from pipeline_lib.cli.main import main

if __name__ == "__main__":
    main()
