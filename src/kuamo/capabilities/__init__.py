"""What Kuamo can do: plain functions of a request and the models."""
