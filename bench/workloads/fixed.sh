# A fixed text, one route, no middleware.
