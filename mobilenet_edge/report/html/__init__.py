"""What was measured, to look at: pictures, and one page that needs no network. Draws rows; knows no device."""
