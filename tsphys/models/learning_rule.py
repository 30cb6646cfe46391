"""Any learning rule on local fields: the model is the rule itself."""

from tsphys.rules.learning_rule import LearningRule

__all__ = ["LearningRule"]
