"""From notes and patches to voices: tables of partials and noise bands, random by seed and note alone."""
