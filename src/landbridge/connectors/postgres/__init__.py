"""PostgreSQL as source, target and catalog: `connector` is the whole of it that others see."""
