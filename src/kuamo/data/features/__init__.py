"""What a model is fed: tokens, picture tensors and spectrograms, exactly as the model's own processor gives them."""
