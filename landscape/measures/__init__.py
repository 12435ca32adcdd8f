"""Instruments: what can be measured of any model, loss and data; they know neither tasks nor training."""
