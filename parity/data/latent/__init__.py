"""Images with the noise that an autoencoder's draw takes, so that every framework draws the same."""
