"""The pages of port 3000: rendered here, readable without JavaScript, kept fresh by the script in static/. Used by services.web."""
