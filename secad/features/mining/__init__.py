"""The parts of template mining; ``secad.features.templates`` puts them together."""
