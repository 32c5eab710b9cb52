"""Commands with many options: those of one command and what it does with them, a file each."""
