"""Where bytes come from: files, archives and standard input."""
