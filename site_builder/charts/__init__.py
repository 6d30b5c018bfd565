"""From a drawing to SVG, pictures and Vega, and what drawings share."""
