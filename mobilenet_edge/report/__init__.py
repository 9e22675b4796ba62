"""Tables of what was measured: reads records, knows neither how they were made nor where."""
