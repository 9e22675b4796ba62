"""Codecs of the two serialisations of model files, FlatBuffers and Protocol Buffers; part of the device payload."""
