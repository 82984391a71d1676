"""Layers and losses as modules, by kind; `nn` re-exports them."""
