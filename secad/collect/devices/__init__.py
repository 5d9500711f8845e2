"""Records of security devices: CEF, LEEF, `key=value`."""
