"""Models of a user's own: a loss with parameters in one framework, which solves an SDE or an ODE by `solve`.

`declared` is what `harness.torch.model` and `harness.jax.model` make of a function, `source` finds one in a file or a
package, `facts` is what the harness knows of a model without importing its framework.
"""
