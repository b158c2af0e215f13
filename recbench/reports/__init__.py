"""From records to what people and programs read: computing and rendering are different files."""
