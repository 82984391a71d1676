"""The film: what goes into the page that plays a graph."""
