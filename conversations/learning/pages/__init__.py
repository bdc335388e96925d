"""The pages of learning, one module each. They only translate."""
