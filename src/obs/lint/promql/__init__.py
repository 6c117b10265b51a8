"""PromQL as checks see it: a tree with parents, the labels it produces, and where things stand in the text."""
