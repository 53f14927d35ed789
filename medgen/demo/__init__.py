"""The demo's material: scripts that derive it from licensed sample images, and the derived files in `data/`."""
