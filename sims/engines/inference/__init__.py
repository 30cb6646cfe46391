"""Message passing and minimisation."""
