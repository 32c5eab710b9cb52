"""The book: executing chapters, binding pages, slides and paper, workshops, and keeping results up to date."""
