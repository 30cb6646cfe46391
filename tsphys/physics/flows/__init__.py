"""Networks trained by gradient descent whose statistics close."""
