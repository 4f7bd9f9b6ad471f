"""One file a framework: the same training step of the same autoencoder in each of them."""
