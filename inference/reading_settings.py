"""What the reader and its child agree on; part of a reading's key where it changes the lines."""

FRAME_BYTES = 16 << 20
LARGE_SIDE = 1280  # pixels; above it the detector sees a smaller copy: 1.2 s instead of 2.4 s
DETECT_SIDE = 960
