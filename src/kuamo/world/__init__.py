"""The bilingual small world that Kuamo's own models are trained and scored on."""
