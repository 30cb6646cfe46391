"""The models: a frozen dataclass each, with its parameters, their meaning and their validation."""
