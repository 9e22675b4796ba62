"""Codecs of the two serialisations that model files use: FlatBuffers and Protocol Buffers."""
