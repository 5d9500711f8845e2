"""Lines of web servers and proxies, and HTTP messages."""
