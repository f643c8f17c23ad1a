//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.
