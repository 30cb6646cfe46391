"""Random streams, quadrature and small linear algebra for use inside kernels."""
