"""What the equations of motion of several models share."""
