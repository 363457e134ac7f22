"""What `pipeline-lib new NAME --data FILE` finds in a file, and the notebooks that it drafts from it."""
