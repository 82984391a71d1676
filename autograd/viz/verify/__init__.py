"""Every node's rule against finite differences."""
