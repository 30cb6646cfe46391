"""How theory is solved, knowing no model: ODE integration, fixed points, continuation."""
